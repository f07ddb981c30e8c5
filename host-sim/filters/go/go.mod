module modgate.example/greets

go 1.24
