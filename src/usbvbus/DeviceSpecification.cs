using System.Globalization;
using Native.LibUsb.Testing;

namespace Native.LibUsb.VirtualBusProgram;

/// <summary>Represents the specification of a device on the command line, such as <c>camera:speed=high,port=1-2</c>.</summary>
internal sealed class DeviceSpecification
{
    public const string Help =
        "Models: camera (1209:0010, isochronous IN), audio (1209:0015, isochronous OUT with feedback), loopback (1209:0011, bulk), source-sink (1209:0014, bulk), interrupt (1209:0012), hub (1209:0004). All models have port (such as 1-2.3) and deny (true: the device cannot be opened). All models except audio have speed (low, full, high, super, super-plus). All models except hub have " +
        "vendor and product (hexadecimal), serial, and driver (the kernel driver that is initially bound). " +
        "camera also has paced (false: the camera sends packets as fast as the host requests them) and unplug-after (the number of packets before the camera unplugs itself). audio also has rate (Hz) and deviation (of the device's clock, in ppm). loopback also has streams (the base-two logarithm of their number) and capacity (bytes). " +
        "source-sink also has numbered (false: the device sends data without a pattern). " +
        "interrupt also has size (bytes) and period (ms). hub also has ports.";

    private static readonly Dictionary<string, string[]> s_names = new()
    {
        ["camera"] = ["speed", "port", "vendor", "product", "serial", "driver", "deny", "paced", "unplug-after"],
        ["audio"] = ["port", "vendor", "product", "serial", "driver", "deny", "rate", "deviation"],
        ["loopback"] = ["speed", "port", "vendor", "product", "serial", "driver", "deny", "streams", "capacity"],
        ["source-sink"] = ["speed", "port", "vendor", "product", "serial", "driver", "deny", "numbered"],
        ["interrupt"] = ["speed", "port", "vendor", "product", "serial", "driver", "deny", "size", "period"],
        ["hub"] = ["speed", "port", "deny", "ports"],
    };

    private readonly Dictionary<string, string> _values = [];
    private readonly string _model;

    private DeviceSpecification(string text)
    {
        Text = text;
        string[] halves = text.Split(':', 2);
        _model = halves[0];
        if (!s_names.TryGetValue(_model, out string[]? names))
            throw new ArgumentException($"'{_model}' is not a model; the models are {string.Join(", ", s_names.Keys)}.");
        foreach (string part in halves.Length == 1 ? [] : halves[1].Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] pair = part.Split('=', 2);
            if (pair.Length != 2 || !names.Contains(pair[0]))
                throw new ArgumentException($"'{part}' is not NAME=VALUE with one of the names {string.Join(", ", names)}.");
            _values[pair[0]] = pair[1];
        }
    }

    public string Text { get; }

    public bool IsHub => _model == "hub";

    public string? Port => _values.GetValueOrDefault("port");

    /// <summary>Parses a specification. The method also creates the device once, so that usbvbus reports errors before it starts the child program.</summary>
    /// <exception cref="ArgumentException">The specification is not valid. The message contains the reason.</exception>
    public static DeviceSpecification Parse(string text)
    {
        DeviceSpecification specification = new(text);
        _ = specification.Make();
        return specification;
    }

    public VirtualDevice Make()
    {
        VirtualDevice device = _model switch
        {
            "camera" => new IsoSource(new IsoSourceOptions
            {
                Speed = Speed(VirtualSpeed.High),
                VendorId = Id("vendor", 0x1209),
                ProductId = Id("product", 0x0010),
                SerialNumber = _values.GetValueOrDefault("serial"),
                KernelDriver = _values.GetValueOrDefault("driver"),
                Paced = Flag("paced", true),
                UnplugAfterPackets = Number("unplug-after", 0),
            }),
            "audio" => new AudioSink(new AudioSinkOptions
            {
                VendorId = Id("vendor", 0x1209),
                ProductId = Id("product", 0x0015),
                SerialNumber = _values.GetValueOrDefault("serial"),
                KernelDriver = _values.GetValueOrDefault("driver"),
                SampleRate = (int)Number("rate", 44_100),
                ClockDeviation = (int)Number("deviation", 0),
            }),
            "loopback" => new BulkLoopback(new BulkLoopbackOptions
            {
                Speed = Speed(VirtualSpeed.High),
                VendorId = Id("vendor", 0x1209),
                ProductId = Id("product", 0x0011),
                SerialNumber = _values.GetValueOrDefault("serial"),
                KernelDriver = _values.GetValueOrDefault("driver"),
                StreamsExponent = (int)Number("streams", 0),
                Capacity = (int)Number("capacity", 4 << 20),
            }),
            "source-sink" => new BulkSourceSink(new BulkSourceSinkOptions
            {
                Speed = Speed(VirtualSpeed.High),
                VendorId = Id("vendor", 0x1209),
                ProductId = Id("product", 0x0014),
                SerialNumber = _values.GetValueOrDefault("serial"),
                KernelDriver = _values.GetValueOrDefault("driver"),
                Numbered = Flag("numbered", true),
            }),
            "interrupt" => new InterruptSource(new InterruptSourceOptions
            {
                Speed = Speed(VirtualSpeed.Full),
                VendorId = Id("vendor", 0x1209),
                ProductId = Id("product", 0x0012),
                SerialNumber = _values.GetValueOrDefault("serial"),
                KernelDriver = _values.GetValueOrDefault("driver"),
                ReportSize = (int)Number("size", 8),
                PeriodMilliseconds = (int)Number("period", 1),
            }),
            _ => new VirtualHub(Speed(VirtualSpeed.High), (int)Number("ports", 4)),
        };
        device.DenyAccess = Flag("deny", false);
        return device;
    }

    private VirtualSpeed Speed(VirtualSpeed other)
    {
        if (!_values.TryGetValue("speed", out string? text))
            return other;
        return text switch
        {
            "low" => VirtualSpeed.Low,
            "full" => VirtualSpeed.Full,
            "high" => VirtualSpeed.High,
            "super" => VirtualSpeed.Super,
            "super-plus" => VirtualSpeed.SuperPlus,
            _ => throw new ArgumentException($"'{text}' is not a speed; the speeds are low, full, high, super, super-plus."),
        };
    }

    private ushort Id(string name, ushort other)
    {
        if (!_values.TryGetValue(name, out string? text))
            return other;
        return ushort.TryParse(text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort id)
            ? id
            : throw new ArgumentException($"{name}={text} is not a hexadecimal number of up to four digits.");
    }

    private long Number(string name, int other)
    {
        if (!_values.TryGetValue(name, out string? text))
            return other;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && (number <= int.MaxValue || name == "unplug-after")
            ? number
            : throw new ArgumentException($"{name}={text} is not a number.");
    }

    private bool Flag(string name, bool other)
    {
        if (!_values.TryGetValue(name, out string? text))
            return other;
        return bool.TryParse(text, out bool flag) ? flag : throw new ArgumentException($"{name}={text} is neither true nor false.");
    }
}
