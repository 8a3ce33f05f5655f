<?php
$databases['default']['default'] = ['driver' => 'sqlite', 'database' => __DIR__ . '/files/.ht.sqlite', 'prefix' => 'p_'];
