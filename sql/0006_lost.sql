-- SPDX-License-Identifier: Apache-2.0
-- Pods that were found again after the database was lost, and whose end nobody saw.

INSERT INTO pod_causes (name) VALUES ('record-lost');
