<?php
$platformsh = new \Platformsh\ConfigReader\Config();
if (!$platformsh->inRuntime()) {
  return;
}
if ($platformsh->hasRelationship('database')) {
  $creds = $platformsh->credentials('database');
  $databases['default']['default'] = ['driver' => $creds['scheme'], 'database' => $creds['path'], 'host' => $creds['host'], 'pdo' => [PDO::MYSQL_ATTR_COMPRESS => !empty($creds['query']['compression'])]];
}
$settings['php_storage']['twig']['secret'] = $settings['hash_salt'];
