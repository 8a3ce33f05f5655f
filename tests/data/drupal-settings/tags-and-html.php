  leading text
<?php $settings['a'] = 1 ?>
between <?= $settings['b'] = 'shown' ?>
<?php
// a comment ends at the tag ?> $settings['c'] = 'html, not code';
<?php
# also this ?><?php $settings['d'] = 'code';
$settings['e'] = 'a string with ?> in it';
/* a block ?> does not */ $settings['f'] = 2;
?>
trailing
