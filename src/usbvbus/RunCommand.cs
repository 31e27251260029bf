using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.VirtualBusProgram;

/// <summary>Defines the command <c>usbvbus run</c>, which creates a bus with devices and runs a program that uses them.</summary>
internal static class RunCommand
{
    private const int CannotStart = 126, NotFound = 127, Unavailable = 125;

    public static Command Create()
    {
        Option<DeviceSpecification[]> devices = new("--device", "-d")
        {
            Description = $"A device: MODEL[:NAME=VALUE,...]. The option can be given several times. {DeviceSpecification.Help}",
            HelpName = "spec",
            CustomParser = result =>
            {
                List<DeviceSpecification> parsed = [];
                foreach (string token in result.Tokens.Select(t => t.Value))
                    try
                    {
                        parsed.Add(DeviceSpecification.Parse(token));
                    }
                    catch (ArgumentException exception)
                    {
                        result.AddError($"--device {token}: {exception.Message}");
                    }
                return [.. parsed];
            },
        };
        Option<bool> denyAccess = new("--deny-access") { Description = "Makes every attempt to open a device fail with 'permission denied'." };
        Option<int> memory = new("--usbfs-memory")
        {
            Description = "The limit, in MB, for the memory of all transfers in flight. 0 means no limit.",
            HelpName = "MB",
            DefaultValueFactory = _ => 16,
        };
        memory.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 0)
                result.AddError("--usbfs-memory must be 0 or more.");
        });
        Option<bool> noScatterGather = new("--no-scatter-gather") { Description = "Simulates a host controller for which libusb divides bulk transfers into pieces of 16 KiB." };
        Option<bool> kernel = new("--kernel") { Description = "Attaches the devices to the vhci_hcd of this machine's kernel. Every program on the machine can then use the devices. Only root can use this option." };
        kernel.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<bool>() && (result.GetResult(noScatterGather) is not null || result.GetResult(denyAccess) is not null))
                result.AddError("--kernel cannot be combined with --no-scatter-gather or --deny-access, because the kernel determines the capabilities of usbfs and the permissions of device nodes.");
        });
        Argument<string[]> program = new("command") { Description = "The program and its arguments, after --.", Arity = ArgumentArity.OneOrMore };

        Command command = new("run", "Runs a program on a bus with virtual devices. The exit code is the exit code of the program. If the bus or a device cannot be created, the exit code is 125. If the program cannot be started, the exit code is 126. If the program is not found, the exit code is 127.")
        {
            devices, denyAccess, memory, noScatterGather, kernel, program,
        };
        command.SetAction(result => Run(
            result.GetValue(devices) ?? [],
            result.GetValue(denyAccess),
            new VirtualBusOptions
            {
                Host = result.GetValue(kernel) ? VirtualBusHost.Kernel : VirtualBusHost.Preload,
                ForChildProcesses = true,
                UsbfsMemoryMegabytes = result.GetValue(memory),
                Capabilities = result.GetValue(noScatterGather) ? UsbfsCapabilities.WithoutScatterGather : UsbfsCapabilities.Default,
            },
            result.GetValue(program)!));
        return command;
    }

    private static int Run(DeviceSpecification[] devices, bool denyAccess, VirtualBusOptions options, string[] program)
    {
        if (VirtualBus.UnavailableReasonOf(options.Host) is { } reason)
            return Fail(Unavailable, reason);
        using VirtualBus bus = new(options);
        // Hubs are attached first, because a device behind a hub can be attached only after the hub.
        foreach (DeviceSpecification specification in devices.OrderBy(d => d.IsHub ? d.Port?.Length ?? 0 : int.MaxValue))
            try
            {
                VirtualDevice device = specification.Make();
                device.DenyAccess |= denyAccess;
                bus.Attach(device, specification.Port);
            }
            catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or PlatformNotSupportedException or TimeoutException)
            {
                return Fail(Unavailable, $"--device {specification.Text}: {exception.Message}");
            }

        ProcessStartInfo start = new(program[0]) { UseShellExecute = false };
        foreach (string argument in program.Skip(1))
            start.ArgumentList.Add(argument);
        bus.ApplyTo(start);
        // On Ctrl-C, the terminal sends SIGINT to usbvbus and to the child. The child decides what SIGINT does, so usbvbus ignores the signal and waits until
        // the child ends. usbvbus passes SIGTERM and SIGHUP on to the child. The handlers are registered before the child starts. Otherwise, a signal between
        // the start and the registration would end usbvbus and leave the child running.
        Lock gate = new();
        Process? child = null;
        int early = 0;
        using (PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true))
        using (PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => context.Cancel = true))
        using (PosixSignalRegistration.Create(PosixSignal.SIGTERM, PassOn))
        using (PosixSignalRegistration.Create(PosixSignal.SIGHUP, PassOn))
        {
            try
            {
                lock (gate)
                {
                    child = Process.Start(start)!;
                    if (early != 0)
                        _ = Signals.Kill(child.Id, early);
                }
            }
            catch (Win32Exception exception)
            {
                const int noSuchFile = 2;
                return Fail(exception.NativeErrorCode == noSuchFile ? NotFound : CannotStart, $"{program[0]}: {exception.Message}");
            }
            using (child)
            {
                child.WaitForExit();
                return child.ExitCode;
            }
        }

        void PassOn(PosixSignalContext context)
        {
            const int hangUp = 1, terminate = 15;
            context.Cancel = true;
            int signal = context.Signal == PosixSignal.SIGHUP ? hangUp : terminate;
            lock (gate)
                if (child is null)
                    early = signal;
                else if (!child.HasExited)
                    _ = Signals.Kill(child.Id, signal);
        }
    }

    private static int Fail(int code, string message)
    {
        Console.Error.WriteLine($"usbvbus: {message}");
        return code;
    }
}
