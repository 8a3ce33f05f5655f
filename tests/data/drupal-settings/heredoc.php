<?php
$settings['here'] = <<<EOT
First $nothing_here_is_not_a_variable_we_know
EOT;
$settings['plain'] = <<<"X"
A "quoted" line \t with \\ backslash
  and 'two';
X;
$settings['now'] = <<<'NOW'
$settings['hash_salt'] = 'not this';
\n stays
NOW;
$settings['indented'] = <<<EOT
    one
      two

    three
    EOT;
$name = 'world';
$settings['with'] = <<<EOT
hello {$name} and $name
EOT . '!';
