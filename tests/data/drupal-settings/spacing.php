<?php

$settings
  [ 'a' ]
    [
      'b'
    ]

   =

  array
    (
      'x'
  =>
        1
      ,
      'y'=>/* two */2,# three
      'z'=>3//four
    )
;$settings/* odd */['c']// odder
='d';
