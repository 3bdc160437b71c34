-- In a transaction of its own: together with the one before, somebody who has read a ticket and changes it would wait for us, and we for them. It takes the lock for a moment: nothing is read.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX tickets_device_idx;
