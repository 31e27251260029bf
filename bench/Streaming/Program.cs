using System.CommandLine;
using Native.LibUsb.Bench;

RootCommand root = new("Measures the cost of streaming. The scripts bench/streaming.sh and bench/device-memory.sh run this program.");
root.Subcommands.Add(AllocationCommand.Create());
root.Subcommands.Add(LineRateCommand.Create());
root.Subcommands.Add(MemoryCommand.Create());
root.Subcommands.Add(SchedulingCommand.Create());
return root.Parse(args).Invoke();
