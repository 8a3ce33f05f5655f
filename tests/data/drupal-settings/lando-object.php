<?php
$lando_info = json_decode(getenv('LANDO_INFO'));
$databases['default']['default'] = ['driver' => 'mysql', 'host' => $lando_info->database->internal_connection->host, 'port' => 3306];
