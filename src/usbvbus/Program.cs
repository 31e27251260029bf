using System.CommandLine;
using Native.LibUsb.VirtualBusProgram;

RootCommand root = new("Runs programs on a virtual USB bus, and checks the data that the programs captured.");
root.Subcommands.Add(RunCommand.Create());
root.Subcommands.Add(CheckCommand.Create());
return root.Parse(args).Invoke();
