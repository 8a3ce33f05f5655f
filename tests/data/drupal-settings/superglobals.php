<?php
$databases['default']['default']['host'] = $_SERVER['DB_HOST'];
$databases['default']['default']['database'] = $_ENV["DB"];
$GLOBALS['settings']['via'] = 'globals';
$settings['query'] = $_GET['x'];
$base_url = 'https://' . $_SERVER['HTTP_HOST'];
