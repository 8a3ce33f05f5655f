<?php
if (file_exists('/var/www/site-php')) {
  require '/var/www/site-php/mysite/mysite-settings.inc';
}
$settings['config_sync_directory'] = '../config/default';
