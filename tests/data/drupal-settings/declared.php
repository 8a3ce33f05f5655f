<?php
declare(strict_types=1);
namespace Site;
use Drupal\Core\Foo as Bar;
class Thing { public $databases = ['x' => 1]; function f() { $settings = 2; } }
if (!function_exists('helper')) { function helper($x) { return $x; } }
$settings['a'] = helper('x');
$settings['b'] = 'b';
static $s = 1;
exit;
$settings['c'] = 'c';
