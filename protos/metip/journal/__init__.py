"""The journal: who did what to whose data, durable before anybody is answered; read by the hub, written by adapters and by the hub.

`chain` and `blinding` and `sealing` are the forms, `subjects` and `records` make records of calls, `store` keeps them.
"""
