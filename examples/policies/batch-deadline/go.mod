module batch-deadline

go 1.24
