<?php
// Stands for your site: it only shows that nginx reaches PHP.
header('Content-Type: text/plain');
echo 'PHP ', PHP_VERSION, " answers.\n";
