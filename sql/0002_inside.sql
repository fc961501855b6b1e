-- SPDX-License-Identifier: Apache-2.0
-- What ends inside a domain: apps killed for want of memory.

INSERT INTO app_states (name) VALUES ('oom');
