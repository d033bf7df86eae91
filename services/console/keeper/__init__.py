"""The dead-letter keeper: what lies in the broker's dead queues gets into table `dead_letters`."""
