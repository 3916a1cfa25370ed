package spelling

import "fmt"

// Count is a number with its noun: "1 error" or "3 errors".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Times is how often something happened, as a sentence has it: "once" or "3 times".
func Times[N int | int64](n N) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
