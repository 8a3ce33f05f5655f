<?php
$databases['default']['default'] = [
  'database' => getenv('MYSQL_DATABASE'),
  'username' => getenv('MYSQL_USER') ?: 'drupal',
  'password' => getenv('MYSQL_PASSWORD'),
  'host' => getenv('MYSQL_HOST') ?: 'mariadb',
  'port' => (int) (getenv('MYSQL_PORT') ?: 3306),
  'driver' => 'mysql',
  'prefix' => $_ENV['MYSQL_PREFIX'] ?? '',
];
