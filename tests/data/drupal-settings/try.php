<?php
try {
  $databases['default']['default'] = ['driver' => 'mysql', 'password' => trim(file_get_contents('/run/secrets/db'))];
} catch (\Exception $e) {
  $databases['default']['default'] = ['driver' => 'sqlite'];
} finally { $settings['done'] = TRUE; }
