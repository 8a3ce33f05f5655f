<?php
use Acquia\Blt\Robo\Common\EnvironmentDetector;
use Drupal\Component\Assertion\Handle;
$databases['default']['default'] = ['driver' => 'mysql', 'database' => 'drupal', 'username' => 'drupal', 'password' => 'secret-5', 'host' => 'localhost', 'port' => '3306', 'prefix' => ''];
require DRUPAL_ROOT . "/../vendor/acquia/blt/settings/blt.settings.php";
