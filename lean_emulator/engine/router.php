<?php
// Serves a file of public/ as it is, and hands everything else to the project's front controller.
$path = parse_url($_SERVER["REQUEST_URI"], PHP_URL_PATH);
if ($path !== "/" && is_file($_SERVER["DOCUMENT_ROOT"] . urldecode($path))) {
    return false;
}
require $_SERVER["DOCUMENT_ROOT"] . "/index.php";
