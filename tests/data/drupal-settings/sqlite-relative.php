<?php
$databases['default']['default'] = array('driver'=>'sqlite','database'=>'../private/db.sqlite','prefix'=>'',);
