"""Where we differ from Debian's official exporters, and why: what the comparisons with them leave out."""

REDIS_NEWER = {
    "redis_async_loading", "redis_commands_latencies_usec_bucket", "redis_commands_latencies_usec_count",
    "redis_commands_latencies_usec_sum", "redis_configured_hz", "redis_current_eviction_exceeded_time_ms",
    "redis_evicted_clients_total", "redis_eviction_exceeded_time_ms_total", "redis_expire_cycle_cpu_time_ms_total",
    "redis_hz", "redis_latest_fork_usec", "redis_lazyfreed_objects", "redis_max_clients", "redis_mem_aof_buffer_bytes",
    "redis_mem_cluster_links_bytes", "redis_mem_replication_backlog_bytes",
    "redis_mem_total_replication_buffers_bytes", "redis_memory_used_functions_bytes",
    "redis_memory_used_scripts_eval_bytes", "redis_memory_used_vm_eval_bytes", "redis_memory_used_vm_functions_bytes",
    "redis_memory_used_vm_total", "redis_net_repl_input_bytes_total", "redis_net_repl_output_bytes_total",
    "redis_number_of_functions", "redis_number_of_libraries", "redis_pubsubshard_channels",
    "redis_rdb_last_load_expired_keys", "redis_rdb_last_load_loaded_keys", "redis_rdb_saves_total",
    "redis_reply_buffer_expands_total", "redis_reply_buffer_shrinks_total", "redis_total_system_memory_bytes",
}  # fmt: skip
"""Families of today's redis_exporter that Debian's 1.45 does not have yet."""
REDIS_NEWER_LABELS = {"master_replid", "valkey_version"}
REDIS_OF_ITSELF = {
    "redis_exporter_build_info", "redis_exporter_last_scrape_connect_time_seconds",
    "redis_exporter_last_scrape_duration_seconds", "redis_exporter_last_scrape_error",
    "redis_exporter_scrape_duration_seconds_count", "redis_exporter_scrape_duration_seconds_sum",
    "redis_exporter_scrapes_total", "redis_last_key_groups_scrape_duration_milliseconds",
    "redis_target_scrape_request_errors_total", "redis_up",
}  # fmt: skip
"""What it says of its own reads; ours are raingauge_*, and redis_up is added by the runner."""
REDIS_ABSENT = {
    "redis_aof_current_rewrite_duration_sec": "-1, as none runs",
    "redis_aof_last_rewrite_duration_sec": "-1, as none was",
    "redis_rdb_current_bgsave_duration_sec": "-1, as none runs",
    "redis_rdb_last_bgsave_duration_sec": "-1, as none was",
    "redis_second_repl_offset": "-1, as there was no other primary",
    "redis_last_slow_execution_duration_seconds": "0, as the slow log is empty",
    "redis_slowlog_last_id": "0, as the slow log is empty",
}
"""Of what is unknown it says a number, and we nothing."""
REDIS_MOVING = {
    "redis_allocator_": "memory goes up and down with each answer",
    "redis_client_recent_max_": "of the clients of the last seconds",
    "redis_connected_slave_lag_seconds": "goes up and down each second",
    "redis_last_slow_execution_duration_seconds": "another command each time",
    "redis_latency_percentiles_usec": "goes up and down with each call",
    "redis_master_last_io_seconds_ago": "goes up and down each second",
    "redis_mem_": "memory goes up and down with each answer",
    "redis_memory_used_": "memory goes up and down with each answer",
    "redis_start_time_seconds": "it takes its own clock, we the server's",
}
"""Beginnings of names whose values need not lie between two scrapes around ours."""
NGINX_MOVING = {
    "nginx_connections_active": "whoever asks keeps connections for a while",
    "nginx_connections_waiting": "whoever asks keeps connections for a while",
}
"""Values that need not lie between two scrapes around ours."""
NGINX_OF_ITSELF = {"nginxexporter_build_info"}
"""Its own version."""
