-- SPDX-License-Identifier: BSD-2-Clause
-- A ledger as the first release that had one wrote it: schema 1, with a unit in every
-- state, one that crashed in company, and one that is published with its input still to
-- be disposed of.
CREATE TABLE unit (
 id INTEGER PRIMARY KEY, rule TEXT NOT NULL, path BLOB NOT NULL,
 kind INTEGER NOT NULL, ino INTEGER NOT NULL, btime INTEGER NOT NULL,
 size INTEGER NOT NULL, mtime INTEGER NOT NULL, fingerprint INTEGER NOT NULL,
 state INTEGER NOT NULL, finished INTEGER NOT NULL DEFAULT 0,
 attempts INTEGER NOT NULL DEFAULT 0, alone INTEGER NOT NULL DEFAULT 0,
 not_before REAL NOT NULL DEFAULT 0, reason TEXT, sha256 TEXT, revision TEXT,
 output BLOB, batch INTEGER, created REAL NOT NULL, updated REAL NOT NULL);
CREATE UNIQUE INDEX unit_identity
 ON unit (rule, path, ino, btime, size, mtime, fingerprint);
CREATE INDEX unit_content ON unit (sha256, rule, revision) WHERE state = 3;
CREATE INDEX unit_open ON unit (id) WHERE finished = 0;
CREATE INDEX unit_state ON unit (rule, state);
CREATE TABLE batch (
 id INTEGER PRIMARY KEY, rule TEXT NOT NULL, revision TEXT NOT NULL,
 started REAL NOT NULL, ended REAL, failure TEXT, variant TEXT, device TEXT);
CREATE TABLE try (
 unit INTEGER NOT NULL, batch INTEGER NOT NULL, attempt INTEGER NOT NULL,
 started REAL NOT NULL, ended REAL, status INTEGER, reason TEXT,
 PRIMARY KEY (unit, batch)) WITHOUT ROWID;
CREATE TABLE output (
 unit INTEGER NOT NULL, path BLOB NOT NULL, sha256 TEXT NOT NULL,
 bytes INTEGER NOT NULL, companion INTEGER NOT NULL,
 PRIMARY KEY (unit, path)) WITHOUT ROWID;
PRAGMA user_version = 1;
INSERT INTO batch (id, rule, revision, started, ended) VALUES (1, 'rule', 'rev', 100, 101);
INSERT INTO unit (id, rule, path, kind, ino, btime, size, mtime, fingerprint, state,
 finished, attempts, alone, not_before, reason, sha256, revision, output, batch, created,
 updated) VALUES
 (1, 'rule', x'7265616479', 1, 11, 1, 10, 1, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, 100, 100),
 (2, 'rule', x'72756e6e696e67', 1, 12, 1, 10, 1, 0, 1, 0, 1, 1, 0, NULL, NULL, NULL, NULL, 1, 100, 100),
 (3, 'rule', x'6465666572726564', 1, 13, 1, 10, 1, 0, 2, 0, 2, 0, 99, 'later', NULL, NULL, NULL, 1, 100, 100),
 (4, 'rule', x'7075626c6973686564', 1, 14, 1, 10, 1, 0, 3, 2, 1, 0, 0, NULL,
  'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'rev', '/out/p', 1, 100, 100),
 (5, 'rule', x'68616c66', 1, 15, 1, 10, 1, 0, 3, 0, 1, 0, 0, NULL, NULL, 'rev', '/out/h', 1, 100, 100),
 (6, 'rule', x'6661696c6564', 1, 16, 1, 10, 1, 0, 6, 1, 1, 0, 0, 'bad', NULL, NULL, NULL, 1, 100, 100),
 (7, 'rule', x'676f6e65', 1, 17, 1, 10, 1, 0, 7, 1, 1, 0, 0, 'left', NULL, NULL, NULL, 1, 100, 100);
INSERT INTO try VALUES (4, 1, 1, 100, 101, 0, NULL), (6, 1, 1, 100, 101, 4, 'bad');
INSERT INTO output VALUES (4, '/out/p',
 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 5, 0);
