# A receiver as it is usually written: proves the signature over the raw body, stores it, answers. The database is there, in WAL mode.
require 'openssl'
require 'sinatra/base'
require 'sqlite3'

KEY = File.read(ENV.fetch('BENCH_KEY_FILE')).strip
INSERT = 'INSERT OR IGNORE INTO webhooks (received_at, signature, body) VALUES (?, ?, ?)'

class Receiver < Sinatra::Base
  set :protection, false
  set :logging, false

  def open_database
    db = SQLite3::Database.new(ENV.fetch('BENCH_DATABASE'))
    db.busy_timeout = 10_000
    db.execute('PRAGMA synchronous = FULL')
    db
  end

  post '/webhooks/acme' do
    body = request.body.read
    given = request.env['HTTP_X_CHARGIFY_WEBHOOK_SIGNATURE_HMAC_SHA_256'].to_s
    halt 401 unless Rack::Utils.secure_compare(OpenSSL::HMAC.hexdigest('SHA256', KEY, body), given)
    db = Thread.current[:database] ||= open_database
    db.execute(INSERT, [Time.now.to_i, given, SQLite3::Blob.new(body)])
    "ok\n"
  end
end

run Receiver
