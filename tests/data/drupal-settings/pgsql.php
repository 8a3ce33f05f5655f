<?php
$databases['default']['default'] = [
  'driver' => 'pgsql', 'database' => 'd', 'username' => 'u', 'password' => 'secret-15', 'host' => '/var/run/postgresql',
  'schema' => 'drupal', 'init_commands' => ['x' => "SET search_path TO 'drupal'"], 'sslmode' => 'require',
  PDO::ATTR_TIMEOUT => 5,
];
