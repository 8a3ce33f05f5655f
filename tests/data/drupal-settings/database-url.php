<?php
$url = parse_url(getenv('DATABASE_URL'));
$databases['default']['default'] = [
  'driver' => $url['scheme'] === 'postgres' ? 'pgsql' : $url['scheme'],
  'database' => ltrim($url['path'], '/'),
  'username' => $url['user'],
  'password' => $url['pass'],
  'host' => $url['host'],
  'port' => $url['port'] ?? 5432,
];
