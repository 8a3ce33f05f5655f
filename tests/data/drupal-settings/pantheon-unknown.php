<?php
include __DIR__ . "/settings.pantheon.php";
$local = __DIR__ . "/settings.local.php";
if (file_exists($local)) { include $local; }
