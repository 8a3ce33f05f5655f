<?php
$conf['cache'] = TRUE; $conf['page_cache_maximum_age'] = 60 * 60 * 3;
$conf['site_name'] = 'Caf' . "\u{e9}";
$conf['cache_backends'][] = 'sites/all/modules/memcache/memcache.inc';
$conf['cache_backends'][] = 'sites/all/modules/redis/redis.autoload.inc';
$conf['cache_default_class'] = 'MemCacheDrupal';
$conf['cache_class_cache_form'] = 'DrupalDatabaseCache';
$conf['memcache_servers'] = array('10.0.0.1:11211' => 'default', '10.0.0.2:11211' => 'default');
$conf['memcache_bins'] = array('cache' => 'default');
$conf['lock_inc'] = './sites/all/modules/memcache/memcache-lock.inc';
$conf['queue_default_class'] = 'Redis_Queue';
$conf['smtp_password'] = 'secret-4';
$conf += array('theme_default' => 'bartik', 'cache' => FALSE);
