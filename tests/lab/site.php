<?php
// The lab's one page: asks the database and the cache, and on demand is slow, fails or uses memory.
//   ?sleep=SECONDS  ?status=500  ?memory=MEGABYTES  ?queries=COUNT  ?statement=SECONDS  ?api=1
header('Content-Type: text/plain');
$sleep = min((float) ($_GET['sleep'] ?? 0), 20);
$memory = min((int) ($_GET['memory'] ?? 0), 64);
$queries = min((int) ($_GET['queries'] ?? 3), 100);

$ballast = str_repeat('x', $memory * 1024 * 1024);
$redis = new Redis();
$redis->connect('127.0.0.1', (int) getenv('LAB_REDIS_PORT'));
$page = 'page:' . random_int(1, 200);
$kept = $redis->get($page);
header('X-Drupal-Cache: ' . ($kept === false ? 'MISS' : 'HIT'));
if ($kept === false) {
    $redis->setEx($page, 30, str_repeat('cached ', 50));
}
$database = new PDO('mysql:unix_socket=' . getenv('LAB_MYSQL_SOCKET') . ';dbname=lab', 'lab', 'lab');
for ($i = 0; $i < $queries; $i++) {
    $row = $database->query('SELECT COUNT(*) FROM node WHERE nid > ' . random_int(1, 500))->fetchColumn();
}
if (($statement = min((float) ($_GET['statement'] ?? 0), 20)) > 0) {
    $database->query("SELECT SLEEP($statement)");
}
if (isset($_GET['api'])) {
    $api = stream_socket_client('tcp://' . getenv('LAB_API'), timeout: 20);
    stream_set_timeout($api, 20);
    fread($api, 1);
}
$database->exec("INSERT INTO node (title) VALUES ('visited')");
if ($sleep > 0) {
    usleep((int) ($sleep * 1e6));
}
http_response_code((int) ($_GET['status'] ?? 200));
echo "node rows: $row, memory: ", strlen($ballast), "\n";
