<?php
$databases['default']['default'] = array(
  'driver' => 'mysql', 'database' => 'a', 'username' => 'b', 'password' => 'secret-3', 'host' => 'db',
  'prefix' => array(
    'default'   => 'main_',
    'users'     => 'shared_',
    'sessions'  => 'shared_',
    'role'      => 'shareddb.',
  ),
);
$drupal_hash_salt = '';
