<?php
$settings['hash_salt'] = getenv('PLATFORM_PROJECT_ENTROPY');
$relationships = json_decode(base64_decode(getenv('PLATFORM_RELATIONSHIPS')), TRUE);
foreach ($relationships['database'] as $endpoint) {
  $database = [
    'driver' => $endpoint['scheme'],
    'database' => $endpoint['path'],
    'username' => $endpoint['username'],
    'password' => $endpoint['password'],
    'host' => $endpoint['host'],
    'port' => $endpoint['port'],
  ];
  if (!empty($endpoint['query']['compression'])) {
    $database['pdo'][PDO::MYSQL_ATTR_COMPRESS] = TRUE;
  }
  if (!empty($endpoint['query']['is_master'])) {
    $databases['default']['default'] = $database;
  }
  else {
    $databases['default']['replica'][] = $database;
  }
}
