<?php
include __DIR__ . "/settings.pantheon.php";
$settings['skip_permissions_hardening'] = TRUE;
