using System.CommandLine;
using Native.LibUsb.VirtualBusProgram;

RootCommand root = new("Runs programs on a USB bus that exists in software only, and checks what they captured from it.");
root.Subcommands.Add(RunCommand.Create());
root.Subcommands.Add(CheckCommand.Create());
return root.Parse(args).Invoke();
