<?php
$settings['n'] = NULL; $settings['f'] = false; $settings['s'] = (string) 5; $settings['i'] = (int) '42'; $settings['b'] = (bool) 'x';
$update_free_access = (bool) getenv('FREE');
$base_url = 'https://x.example'; $cookie_domain = '.' . 'example';
