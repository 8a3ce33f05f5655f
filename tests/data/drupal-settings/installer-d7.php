<?php
$databases = array (
  'default' => 
  array (
    'default' => 
    array (
      'database' => 'legacy',
      'username' => 'legacy',
      'password' => 'secret-2',
      'host' => 'localhost',
      'port' => '',
      'driver' => 'mysql',
      'prefix' => '',
    ),
  ),
);
$update_free_access = FALSE;
$drupal_hash_salt = 'salt-of-seven';
ini_set('session.gc_probability', 1);
ini_set('session.cookie_lifetime', 2000000);
$conf['404_fast_paths_exclude'] = '/\/(?:styles)\//';
$conf['404_fast_html'] = '<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><p>The requested URL "@path" was not found.</p></body></html>';
