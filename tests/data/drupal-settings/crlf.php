<?php
$databases['default']['default'] = array (
  'database' => 'crlf', // comment
  'driver' => 'mysql', # another
);
