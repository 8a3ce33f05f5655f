<?php
$dotenv = Dotenv\Dotenv::createImmutable(dirname(DRUPAL_ROOT));
$dotenv->safeLoad();
$databases['default']['default'] = ['driver' => 'mysql', 'host' => $_ENV['DB_HOST'] ?? 'localhost', 'database' => 'x'];
