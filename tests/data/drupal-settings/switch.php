<?php
switch (getenv('APP_ENV')) {
  case 'prod':
    $databases['default']['default']['host'] = 'prod-db';
    break;
  default:
    $databases['default']['default']['host'] = 'dev-db';
}
$settings['after'] = 'sure';
$databases['default']['default']['driver'] = match (TRUE) { getenv('PG') => 'pgsql', default => 'mysql' };
$databases['default']['default']['database'] = 'd';
