<?php
// sites/sites.php
$sites['localhost.example'] = 'local';
$sites['8080.www.shop.example.mysite.test'] = 'shop';
$sites[ 'news.example' ]  =  "news" ;
$sites = array_merge($sites, ['blog.example' => 'blog', 'www.blog.example' => 'blog']);
foreach (['a', 'b'] as $letter) {
  $sites["$letter.many.example"] = "many_{$letter}";
}
if (file_exists(__DIR__ . '/local.sites.php')) { include __DIR__ . '/local.sites.php'; }
