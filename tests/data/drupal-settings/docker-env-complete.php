<?php
$databases['default']['default'] = [
  'database' => getenv('MYSQL_DATABASE'),
  'username' => getenv('MYSQL_USER') ?: 'drupal',
  'password' => getenv('MYSQL_PASSWORD'),
  'host' => getenv('MYSQL_HOST') ?: 'mariadb',
  'port' => (int) (getenv('MYSQL_PORT') ?: 3306),
  'driver' => 'mysql',
  'prefix' => $_ENV['MYSQL_PREFIX'] ?? '',
  'collation' => $_SERVER['COLLATION'] ?? 'utf8mb4_general_ci',
  'agent' => $_SERVER['HTTP_USER_AGENT'] ?? 'none',
];
