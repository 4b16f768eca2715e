#!/bin/sh
# The page. The other service is found by its name.
visits=$(wget -q -O - http://api:8081/cgi-bin/visits) || visits="unknown: api does not answer"
printf 'Content-Type: text/html\r\n\r\n'
cat <<PAGE
<!doctype html>
<title>hello</title>
<link rel="stylesheet" href="/style.css">
<h1>Hello from a container without root</h1>
<p>Visits so far: <b>$visits</b></p>
<p>web is $(hostname), uid $(id -u) inside</p>
PAGE
