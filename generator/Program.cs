return new Native.LibUsb.Generator.CommandLine(Console.Out, Console.Error).Run(args);
