<?php
if (!empty($_ENV['PANTHEON_ENVIRONMENT']) && $_ENV['PANTHEON_ENVIRONMENT'] === 'live') {
  $config['system.performance']['cache']['page']['max_age'] = 900;
} else {
  $config['system.performance']['cache']['page']['max_age'] = 0;
}
