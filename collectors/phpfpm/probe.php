<?php
// Raingauge's probe: what PHP's own caches in this pool's shared memory say of themselves, as JSON. It writes nothing
// and takes no input. It answers only who speaks FastCGI to the pool directly with our parameter: a request that came
// through a web server has REMOTE_ADDR. Works from PHP 5.4 on.

if (PHP_SAPI !== 'fpm-fcgi' || isset($_SERVER['REMOTE_ADDR']) || !isset($_SERVER['PROBE_FROM'])) {
    header('Status: 404 Not Found');
    exit;
}
header('Content-Type: application/json');

// null: the extension is not there. false: it does not tell (opcache.restrict_api), or is switched off.
$call = function ($name, $argument = null) {
    if (!function_exists($name)) {
        return null;
    }
    return $argument === null ? @$name() : @$name($argument);
};
// Numbers and switches only; paths stay where they are.
$numbers = function ($all) {
    return is_array($all) ? array_filter($all, function ($one) {
        return is_int($one) || is_float($one) || is_bool($one);
    }) : null;
};

$status = $call('opcache_get_status', false);
if (is_array($status)) {
    $groups = array('memory_usage', 'interned_strings_usage', 'opcache_statistics', 'jit');
    $status = $numbers($status) + array_map($numbers, array_intersect_key($status, array_flip($groups)));
}
$configuration = $call('opcache_get_configuration');
$entries = $call('apcu_cache_info', true);
$memory = $call('apcu_sma_info', true);
$free = null;
if (is_array($entries) && is_array($memory) && $entries['num_entries'] <= 10000) {
    // Free blocks lie between entries. The list of them is made under a lock, so of a large cache it is not asked for.
    $blocks = $call('apcu_sma_info');
    $sizes = array();
    foreach (isset($blocks['block_lists']) ? $blocks['block_lists'] : array() as $segment) {
        foreach ($segment as $block) {
            $sizes[] = $block['size'];
        }
    }
    $free = array('blocks' => count($sizes), 'largest' => $sizes ? max($sizes) : 0, 'sum' => array_sum($sizes));
}

echo json_encode(array(
    'version' => PHP_VERSION,
    'sapi' => PHP_SAPI,
    'memory_limit' => ini_get('memory_limit'),
    'memory_usage' => memory_get_usage(),
    'realpath_cache_size' => realpath_cache_size(),
    'realpath_cache_limit' => ini_get('realpath_cache_size'),
    'opcache_enable' => ini_get('opcache.enable'),
    'opcache' => $status,
    'opcache_settings' => $numbers(is_array($configuration) ? $configuration['directives'] : null),
    'apcu' => $numbers($entries),
    'apcu_memory' => $numbers($memory),
    'apcu_free' => $free,
));
