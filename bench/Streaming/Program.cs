using System.CommandLine;
using Native.LibUsb.Bench;

RootCommand root = new("Measures what streaming costs. Runs on a virtual bus: see bench/streaming.sh.");
root.Subcommands.Add(AllocationCommand.Create());
root.Subcommands.Add(LineRateCommand.Create());
root.Subcommands.Add(MemoryCommand.Create());
root.Subcommands.Add(WatchCommand.Create());
return root.Parse(args).Invoke();
