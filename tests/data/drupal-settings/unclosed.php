<?php
$settings['before'] = 1;
$settings['open'] = 'never closed;
