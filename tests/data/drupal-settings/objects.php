<?php
$settings['class'] = new Foo(['password' => 'secret-16']);
$settings['call'] = Foo::bar('secret-17')->baz['x'];
$settings['container_yamls'] = [DRUPAL_ROOT . '/sites/development.services.yml'];
$class_loader->addPsr4('Drupal\\redis\\', 'modules/contrib/redis/src');
$settings['bootstrap_container_definition'] = [
  'parameters' => [],
  'services' => [
    'redis.factory' => ['class' => 'Drupal\redis\ClientFactory'],
    'cache.backend.redis' => ['class' => 'Drupal\redis\Cache\CacheBackendFactory', 'arguments' => ['@redis.factory', '@serialization.phpserialize']],
  ],
];
