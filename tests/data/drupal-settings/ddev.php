<?php
$host = "db";
$port = 3306;
$driver = "mysql";
$databases['default']['default']['database'] = "db";
$databases['default']['default']['username'] = "db";
$databases['default']['default']['password'] = "db";
$databases['default']['default']['host'] = $host;
$databases['default']['default']['port'] = $port;
$databases['default']['default']['driver'] = $driver;
$settings['hash_salt'] = '79e6dc9';
$settings['trusted_host_patterns'] = ['.*'];
$config['symfony_mailer.settings']['default_transport'] = 'sendmail';
if (empty($settings['config_sync_directory'])) {
  $settings['config_sync_directory'] = 'sites/default/files/sync';
}
