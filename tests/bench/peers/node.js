// A receiver that does what chargifyd does before it answers: proves the signature over the raw body and has it on
// disk. One transaction for all that came while the one before was written.
//
// usage: node node.js PORT CERTIFICATE PRIVATE_KEY KEY_FILE DATABASE
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const https = require('https');

const [port, certificate, privateKey, keyFile, file] = process.argv.slice(2);
const key = fs.readFileSync(keyFile, 'utf8').trim();

const schema = `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE webhooks (id INTEGER PRIMARY KEY, received_at INTEGER, signature TEXT UNIQUE, body BLOB)`;
const insert = 'INSERT OR IGNORE INTO webhooks (received_at, signature, body) VALUES (?, ?, ?)';

/// A function that stores several webhooks in one transaction, then calls back.
function openStore() {
  for (const name of ['better-sqlite3', 'node:sqlite']) {
    try {
      const module = require(name);
      const db = new (module.DatabaseSync || module)(file);
      db.exec(schema);
      const statement = db.prepare(insert);
      return (webhooks, done) => {
        db.exec('BEGIN');
        for (const w of webhooks) statement.run(w.at, w.signature, w.body);
        db.exec('COMMIT');
        done();
      };
    } catch (e) {
      if (!['MODULE_NOT_FOUND', 'ERR_UNKNOWN_BUILTIN_MODULE'].includes(e.code)) throw e;
    }
  }
  const db = new (require('sqlite3').Database)(file);
  db.exec(schema);
  const statement = db.prepare(insert);
  return (webhooks, done) => db.serialize(() => {
    db.exec('BEGIN');
    for (const w of webhooks) statement.run(w.at, w.signature, w.body);
    db.exec('COMMIT', (failed) => { if (failed) throw failed; done(); });
  });
}

const store = openStore();
let waiting = [];
let busy = false;

function flush() {
  const batch = waiting;
  waiting = [];
  busy = batch.length > 0;
  if (!busy) return;
  store(batch, () => {
    for (const w of batch) w.answer.end('ok\n');
    setImmediate(flush);
  });
}

function receive(request, answer) {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    const signature = request.headers['x-chargify-webhook-signature-hmac-sha-256'] || '';
    const right = crypto.createHmac('sha256', key).update(body).digest('hex');
    if (signature.length !== right.length || !crypto.timingSafeEqual(Buffer.from(signature), Buffer.from(right))) {
      answer.statusCode = 401;
      answer.end();
      return;
    }
    waiting.push({ at: Date.now(), signature, body, answer });
    if (!busy) {
      busy = true;
      setImmediate(flush);
    }
  });
}

const tls = { cert: fs.readFileSync(certificate), key: fs.readFileSync(privateKey) };
const server = https.createServer(tls, receive);
server.keepAliveTimeout = 600000;
server.listen(Number(port), '127.0.0.1', 4096);
process.on('SIGTERM', () => process.exit(0));
